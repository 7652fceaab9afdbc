"""IRISX: the composition root. Imports every app, is imported by none."""

__version__ = "0.1.0"
