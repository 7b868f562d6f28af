"""What people have already, brought into the record: once, however often it is read."""
