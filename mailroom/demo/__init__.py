"""`mailroom demo`: the whole service over mail servers of its own, and an account of what happened."""
