"""The world, played: customers who write, cold rooms that drift and fail."""
