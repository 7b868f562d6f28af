"""What happens: a folder is a stage, a file is what all stages share."""
