"""The outside: IMAP, SMTP, GnuPG, Sequoia, files. One outside thing a file; all I/O is here."""
