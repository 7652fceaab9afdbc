"""What is kept of people: erased when they ask, handed out when they ask, and gone after the tenant's time anyway."""
