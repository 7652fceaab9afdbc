"""Spoken menus: flows as validated JSON, their versions, and the sessions of callers in them."""
