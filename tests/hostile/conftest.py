"""A real worker's surroundings, and a whole desk."""

from tests.flow.conftest import desk_home, guide, open_counter, people_home, warm

__all__ = ["desk_home", "guide", "open_counter", "people_home", "warm"]
