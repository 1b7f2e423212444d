"""What we answer: rules, directory of services, choice, texts. Pure."""
