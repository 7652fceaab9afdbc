"""Run a whole IRISX on one machine: embedded servers, the demo and the test databases."""
