"""What a message says: language, country, category, danger, contact wishes. Pure."""
