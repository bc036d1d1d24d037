"""Making a show: a new one, whether it is whole, what it is, how it looks, and help for editors."""
