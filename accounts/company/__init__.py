"""What a company sets for itself: its name, its language, its rules."""
