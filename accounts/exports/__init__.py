"""All a company has here, as one archive it can take elsewhere."""
