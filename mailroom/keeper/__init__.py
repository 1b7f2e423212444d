"""The record keeper's language: commands, their proof, notices. Pure."""
