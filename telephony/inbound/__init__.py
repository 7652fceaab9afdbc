"""Calls that come in: whose number it is, where the number leads, and agents' extensions."""
