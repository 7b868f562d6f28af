"""What travels: the events of both flows. Pydantic only; imports nothing of ours."""
