"""Lists and documents as files: CSV, XLSX, ZIP. Makes no query and knows no request."""
