"""What we keep: tables, sealing, the key store, the outbox, the audit log. SQL."""
