import pytest

from dcgan import presets
from dcgan.errors import InputError
from tuning import Space, best_config
from tuning.search_directory import SearchDirectory


@pytest.fixture
def directory(tmp_path, make_config, tiny_space):
    directory = SearchDirectory(tmp_path / "search")
    directory.claim(make_config(), tiny_space, images="a b")
    return directory


def test_the_same_search_goes_on(directory, make_config, tiny_space):
    assert directory.load() == (make_config(), tiny_space)
    directory.claim(make_config(), tiny_space, images="a b")
    directory.check(make_config(), tiny_space)


def test_another_search_is_refused(directory, make_config, tiny_space):
    with pytest.raises(InputError, match=r"another search \(epochs=9, not 3\)"):
        directory.check(make_config(epochs=3), tiny_space)
    changes = {
        r"latent_dim\.choice=\[4, 8\], not \[4\]": {"latent_dim": 4},
        r"beta_1\.high=0\.9, not 0\.5": {"beta_1": {"low": 0.0, "high": 0.5}},
        r"r1_gamma\.when\.discriminator_norm=\[.none.\], not null": {
            "r1_gamma": {"choice": [0.0, 0.05, 0.2, 1.0, 5.0], "when": {}}
        },
        r"dropout=null, not \{.*0\.5.*\}": {"dropout": [0.0, 0.5]},
    }
    for difference, change in changes.items():
        with pytest.raises(InputError, match=rf"holds another search \({difference}\)"):
            directory.check(make_config(), tiny_space.change(**change))
    base = presets.override(make_config().base, training={"batch_size": 16})
    with pytest.raises(InputError, match=r"\(base\.training\.batch_size=8, not 16\)"):
        directory.check(make_config(base=base), tiny_space)


def test_other_images_are_refused(directory, make_config, tiny_space):
    with pytest.raises(InputError, match=r"on other images: .*noise\.npz has changed since it began"):
        directory.claim(make_config(), tiny_space, images="a c")


def test_what_is_no_search_is_refused(tmp_path, make_config):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="found a file"):
        SearchDirectory(tmp_path / "file").check(make_config(), Space())
    presets.get("mnist").save(tmp_path / "run" / "config.json")
    with pytest.raises(InputError, match="holds a run"):
        SearchDirectory(tmp_path / "run").check(make_config(), Space())
    with pytest.raises(InputError, match=r"search\.json: expected the config of a search"):
        SearchDirectory(tmp_path / "nothing").load()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": {"epochs": 0}, "space": {}}'])
def test_a_damaged_search_is_named(directory, text):
    directory.config.write_text(text)
    with pytest.raises(InputError, match="search"):
        directory.load()


def test_there_is_no_best_before_a_trial_has_ended(directory):
    with pytest.raises(InputError, match="expected a search with a trial that has succeeded"):
        best_config(directory.path)


def test_two_cannot_search_at_once(directory):
    with directory.lock(), pytest.raises(InputError, match="another process"), directory.lock():
        pass
