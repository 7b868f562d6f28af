"""The record: SQLite by default, MySQL by setting. One file an aggregate; doors decide nothing."""
