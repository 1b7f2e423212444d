from tests.cli.running import here
from tests.e2e.house import House


def test_upgrade_brings_the_database_to_the_version_that_status_wants(house: House) -> None:
    option = ("--config", str(house.config), "db")
    before = here(*option, "status", "--json")
    assert (before.status, before.lines()[0]["version"]) == (1, None)
    assert not (house.data / "mailroom.db").exists()
    assert here(*option, "upgrade").status == 0
    after = here(*option, "status", "--json")
    assert after.status == 0
    assert after.lines()[0]["version"] == after.lines()[0]["needed"]
