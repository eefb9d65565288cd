import importlib.metadata
import pathlib
import re
import subprocess
import sys

import typer.main

import dcgan
from dcgan import presets
from dcgan.cli import app
from dcgan.cli import info as info_command

# Help


def test_what_needs_no_tensorflow_does_not_load_it(tmp_path):
    presets.get("mnist").save(tmp_path / "run" / "config.json")
    script = (
        "import sys\n"
        "from dcgan.cli import main\n"
        "other_run = ['train', '--seed', '1', '--out', 'run']\n"
        "for arguments in (['--help'], ['train', '--help'], [], ['info', 'none'], other_run):\n"
        "    sys.argv = ['dcgan', *arguments]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as exit:\n"
        "        print('code', exit.code)\n"
        "print('loaded', sorted({'tensorflow', 'keras', 'imageio'} & set(sys.modules)))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    lines = process.stdout.splitlines()
    assert [line for line in lines if line.startswith("code")] == [
        *["code 0"] * 3,
        *["code 2"] * 2,
    ]
    assert lines[-1] == "loaded []"
    assert process.stderr.count("\n") == 2
    assert "run: holds a run with seed=0, not 1" in process.stderr


def test_help_names_commands_and_options(run_cli):
    code, out, err = run_cli("--help")
    assert (code, err) == (0, "")
    assert all(command in out for command in ("train", "sample", "info"))
    assert run_cli()[:2] == (0, out)
    code, out, _ = run_cli("train", "--help")
    options = ["--data", "--preset", "--config", "--epochs", "--batch-size", "--out", "--precision"]
    assert code == 0
    assert all(
        option in out
        for option in [
            *options,
            "--image-size",
            "--loss",
            "--augmentation",
            "--strategy",
            "--features",
            "--seed",
            "--skip-bad",
            "--memory",
            "--cache",
        ]
    )
    # What an option is without being given: all but --config, --skip-bad and --help.
    assert out.count("[default: ") == 15


def test_defaults_in_words_are_shown(run_cli, monkeypatch):
    """Written into a help text in brackets, they would be taken for markup and vanish."""
    monkeypatch.setenv("COLUMNS", "200")
    for command, default in {
        "evaluate": "the run's",
        "export": "RUN/serving",
        "push": "the newest candidate, or the version before the live one",
        "sample": "all, in proportion to the data",
        "score": "table; with --beam, jsonl",
        "serving-config": "where a rollback leads",
    }.items():
        _, out, _ = run_cli(command, "--help")
        assert f"[default: ({default})]" in " ".join(out.replace("│", " ").split())


def test_no_help_text_has_markup_in_it():
    def texts(command):
        yield from (option.help or "" for option in command.params if hasattr(option, "help"))
        for inner in getattr(command, "commands", {}).values():
            yield from texts(inner)

    assert not [text for text in texts(typer.main.get_command(app.app)) if re.search(r"\[[a-z]", text)]


# Info


def test_info_in_a_pipe_shows_whole_values(run_cli, tmp_path):
    run, data = tmp_path / ("r" * 100), f"/{'d' * 150}/{'e' * 150}"
    presets.override(presets.get("mnist"), data=data).save(run / "config.json")
    code, out, _ = run_cli("info", run)
    assert code == 0
    title, _, names, *_ = out.splitlines()
    assert title.strip() == str(run)
    assert any(data in line for line in out.splitlines())
    assert "config" in names
    assert len(names) < 400


def test_a_terminal_that_is_too_narrow_shortens_nothing(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    data = "/" + "0123456789" * 20
    config = presets.override(presets.get("mnist"), data=data)
    monkeypatch.setattr(info_command.RunDirectory, "open", info_command.RunDirectory)
    monkeypatch.setattr(info_command.RunDirectory, "load_config", lambda run: config)
    info_command.info(pathlib.Path("dcgan"))
    digits = "".join(character for character in capsys.readouterr().out if character in "0123456789")
    assert data[1:] in digits


def test_the_version(run_cli):
    assert dcgan.__version__ == importlib.metadata.version("dcgan")
    assert run_cli("--version") == (0, f"dcgan {dcgan.__version__}\n", "")


def test_info_of_a_run_that_has_only_begun(run_cli):
    presets.get("article").save("begun/config.json")
    code, out, _ = run_cli("info", "begun")
    assert code == 0
    assert "0 of 50 epochs, not finished" in out


def test_info_of_a_run_with_a_hostile_name(run_cli, tmp_path):
    run = tmp_path / "[bold]r[/x]:smile:\x1b[31m"
    presets.get("mnist").save(run / "config.json")
    code, out, err = run_cli("info", run)
    assert (code, err) == (0, "")
    assert r"[bold]r[/x]:smile:\x1b[31m/config.json" in out
    assert "\x1b" not in out
