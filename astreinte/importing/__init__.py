"""`astreinte import`: people's customers, tickets, knowledge and mail into the record.

From files to rows (`reading`, `dump`), from rows to what the record keeps (`mapping` and those
beside it), and into the record in transactions of some hundred rows (`bringing`).
"""
