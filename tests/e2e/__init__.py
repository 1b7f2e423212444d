"""The whole service over real Dovecot and GnuPG."""
