import runpy

import documents

SCRIPT = runpy.run_path(str(documents.ROOT / "docs" / "architecture.py"))


def test_the_picture_is_of_the_contract_as_it_stands():
    """After a change of setup.cfg or a room's docstring: python docs/architecture.py."""
    assert SCRIPT["PICTURE"].read_text(encoding="utf-8") == SCRIPT["draw"]()


def test_all_layers_are_there():
    layers = SCRIPT["layers"]()
    assert layers[0] == ["dcgan.cli"]
    assert layers[1] == ["export", "tuning"]
    assert all(SCRIPT["describe"](module) for layer in layers for module in layer)
