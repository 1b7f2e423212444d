"""What `mailroom doctor` looks at: each check gives findings, none changes anything of the desk."""
