"""For people: pages, and the API behind them."""
