"""What a message is: reading bytes, telling machines from people, threading, composing. Pure."""
