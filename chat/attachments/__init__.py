"""Files in conversations: taken in, typed by their content, kept in the storage, shown by short-lived links."""
