"""How a company leaves: closed at once, reopened within 30 days, erased after them."""
