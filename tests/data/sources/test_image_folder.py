import numpy as np
import PIL.Image
import pytest

from dcgan.data import decode_file, load_images, prepare


@pytest.fixture
def folder(tmp_path, write_image, noise):
    """Twelve 8-pixel RGB images, 0.png to 11.png by name."""
    for number in range(12):
        write_image(tmp_path / "images" / f"{number:02}.png", noise(8, 8, 3, seed=number))
    return tmp_path / "images"


def test_all_in_order(folder, noise):
    loaded = load_images(folder, split="all")
    assert (loaded.name, loaded.split, loaded.skipped) == (str(folder), "all", 0)
    assert loaded.labels is None
    assert loaded.class_names is None
    np.testing.assert_array_equal(
        loaded.images, np.stack([noise(8, 8, 3, seed=number) for number in range(12)])
    )


def test_train_and_test_partition(folder):
    found = np.concatenate([load_images(folder, split=s).images for s in ("train", "test")])
    everything = load_images(folder, split="all").images
    assert len(load_images(folder, split="test").images) == 1
    assert {i.tobytes() for i in found} == {i.tobytes() for i in everything}
    assert load_images(folder, split="train[:3]").images.shape == (3, 8, 8, 3)


def test_size_and_channels(folder):
    loaded = load_images(folder, split="all", image_size=5, channels=1)
    assert loaded.images.shape == (12, 5, 5, 1)
    expected = prepare(decode_file(folder / "07.png"), image_size=5, channels=1)
    np.testing.assert_array_equal(loaded.images[7], expected)


def test_mixed_kinds(tmp_path, noise):
    kinds = {
        "a.png": "1",
        "b.png": "L",
        "c.png": "LA",
        "d.png": "P",
        "e.png": "RGBA",
        "f.jpg": "CMYK",
        "g.webp": "RGB",
        "h.bmp": "RGB",
        "i.gif": "P",
        "j.JPEG": "RGB",
    }
    for number, (name, mode) in enumerate(kinds.items()):
        image = PIL.Image.fromarray(noise(20, 14 + 3 * number, 4))
        image.convert(mode if mode in ("LA", "RGBA") else "RGB").convert(mode).save(tmp_path / name)
    deep = np.arange(280, dtype=np.uint16).reshape(20, 14) * 200
    PIL.Image.fromarray(deep).save(tmp_path / "k.png")
    names = [*kinds, "k.png"]
    for channels in (1, 3):
        loaded = load_images(tmp_path, split="all", image_size=10, channels=channels)
        assert loaded.images.shape == (len(names), 10, 10, channels)
        for image, name in zip(loaded.images, names, strict=True):
            expected = prepare(decode_file(tmp_path / name), image_size=10, channels=channels)
            np.testing.assert_array_equal(image, expected, err_msg=name)
    assert load_images(tmp_path, split="all", image_size=10).images.shape[-1] == 3


def test_grey_stays_grey(tmp_path, write_image, noise):
    write_image(tmp_path / "a.png", noise(8, 8))
    write_image(tmp_path / "b.png", noise(8, 8, 2))
    assert load_images(tmp_path, split="all").images.shape == (2, 8, 8, 1)


def test_many_shapes_come_to_their_places(tmp_path, write_image):
    for number in range(40):
        size = 4 + number % 3 * 5
        write_image(tmp_path / f"{number:02}.png", np.full((size, size), number * 6))
    loaded = load_images(tmp_path, split="all", image_size=9, channels=1)
    np.testing.assert_array_equal(
        loaded.images, np.arange(40)[:, None, None, None] * 6 * np.ones((9, 9, 1))
    )


def test_classes(tmp_path, write_image, noise):
    for name in ("dog/x/1.png", "cat/2.png", "dog/3.png", "eel/4.png"):
        write_image(tmp_path / name, noise(4, 4))
    loaded = load_images(tmp_path, split="all")
    assert loaded.class_names == ("cat", "dog", "eel")
    assert loaded.labels.tolist() == [0, 1, 1, 2]
    assert loaded.labels.dtype == np.int64


@pytest.mark.parametrize("names", [["a/1.png", "a/2.png"], ["a/1.png", "b/2.png", "3.png"]])
def test_no_classes(tmp_path, write_image, noise, names):
    for name in names:
        write_image(tmp_path / name, noise(4, 4))
    assert load_images(tmp_path, split="all").labels is None


@pytest.mark.parametrize("held_out", ["test", "val", "validation"])
def test_split_folders(tmp_path, write_image, held_out):
    for number, name in enumerate(["train/b/1.png", "train/a/2.png", f"{held_out}/b/3.png"]):
        write_image(tmp_path / name, np.full((4, 4), number))
    write_image(tmp_path / "preview.png", np.full((4, 4), 99))
    train, test = (load_images(tmp_path, split=split) for split in ("train", "test"))
    assert train.images[:, 0, 0, 0].tolist() == [1, 0]
    assert train.labels.tolist() == [0, 1]
    assert test.images[:, 0, 0, 0].tolist() == [2]
    assert test.labels.tolist() == [1]
    assert test.class_names == ("a", "b")
    assert len(load_images(tmp_path, split="all").images) == 3
    assert len(load_images(tmp_path, split=f"train[:1]+{held_out}").images) == 2


@pytest.mark.parametrize("source", [".", "images", "./images/"])
def test_files_are_named_by_their_paths_within_the_folder(tmp_path, write_image, monkeypatch, source):
    folder = tmp_path / source
    for name in ("train/b/1.png", "train/a/2.png", "test/b/3.png"):
        write_image(folder / name, np.zeros((4, 4)))
    monkeypatch.chdir(tmp_path)
    loaded = load_images(source, split="test")
    assert loaded.files == ("train/a/2.png", "train/b/1.png", "test/b/3.png")
    assert loaded.name_image(0) == "test/b/3.png"


def test_a_lone_train_folder_is_no_split(tmp_path, write_image, noise):
    for number in range(10):
        write_image(tmp_path / f"train/{number}.png", noise(4, 4))
    assert len(load_images(tmp_path, split="test").images) == 1


def test_other_files_do_not_count(folder, write_image, noise):
    for name in ("readme.txt", "labels.json", ".DS_Store", ".hidden.png", "._00.png", "Thumbs.db"):
        (folder / name).write_text("x")
    write_image(folder / ".thumbnails" / "a.png", noise(4, 4))
    assert len(load_images(folder, split="all").images) == 12


def test_link_loops_end(folder):
    (folder / "loop").symlink_to(folder)
    (folder / "inner").mkdir()
    (folder / "inner" / "up").symlink_to(folder.parent)
    (folder / "inner" / "self").symlink_to(folder / "inner" / "self")
    assert len(load_images(folder, split="all").images) == 12


def test_linked_folder_is_followed(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(folder)
    assert len(load_images(tmp_path / "other", split="all").images) == 12


def test_order_is_that_of_paths(tmp_path, write_image):
    names = ["b.png", "a/z.png", "a.png", "a/b/c.png", "B.png", "10.png", "9.png"]
    for number, name in enumerate(names):
        write_image(tmp_path / name, np.full((2, 2), number))
    expected = [names.index(name) for name in sorted(names)]
    assert load_images(tmp_path, split="all").images[:, 0, 0, 0].tolist() == expected


@pytest.mark.parametrize("content", [{}, {"notes.txt": "x"}, {"a/b/.c.png": "x"}])
def test_empty(tmp_path, refused, content):
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    refused(lambda: load_images(tmp_path), tmp_path, "expected image files (.png, .jpg", "none")


def test_several_sizes_without_one_asked_for(folder, write_image, noise, refused):
    write_image(folder / "odd.png", noise(9, 7, 3))
    refused(lambda: load_images(folder, split="all"), folder, "image_size", "8 x 8", "9 x 7")
    assert load_images(folder, split="all", image_size=8).images.shape == (13, 8, 8, 3)


def test_many_sizes_are_counted(tmp_path, write_image, refused):
    for number in range(1, 14):
        write_image(tmp_path / f"{number}.png", np.zeros((number, 5)))
    refused(lambda: load_images(tmp_path, split="all"), "10 x 5 and 3 more")


def test_one_size_that_is_not_square(tmp_path, write_image, noise):
    write_image(tmp_path / "a.png", noise(6, 9))
    assert load_images(tmp_path, split="all").images.shape == (1, 6, 9, 1)


def test_bad_files_are_named_with_reasons(folder, refused):
    (folder / "sub").mkdir()
    (folder / "sub" / "text.png").write_text("not an image")
    cut = (folder / "03.png").read_bytes()
    (folder / "03.png").write_bytes(cut[: len(cut) // 2])
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    for size in (None, 8):
        refused(
            lambda size=size: load_images(folder, split="all", image_size=size, channels=3),
            folder,
            "(--skip-bad leaves others out), 3 of 14 cannot be read: 03.png (file is truncated",
            "gone.jpg (no such file)",
            "sub/text.png (not a PNG, JPEG, WebP, BMP, GIF or TIFF image)",
        )


def test_more_than_ten_bad_files_are_counted(folder, refused):
    for number in range(13):
        (folder / f"bad_{number:02}.png").write_text("x")
    message = refused(lambda: load_images(folder, split="all"), "13 of 25", "and 3 more")
    assert message.count("(not a PNG, JPEG, WebP, BMP, GIF or TIFF image)") == 10
    assert "bad_09.png" in message


@pytest.mark.parametrize("size", [None, 8])
def test_skip_bad(tmp_path, write_image, noise, size, caplog):
    for name in ("a/1.png", "b/2.png", "b/3.png"):
        write_image(tmp_path / name, noise(8, 8))
    (tmp_path / "a/0.png").write_text("x")
    loaded = load_images(tmp_path, split="all", image_size=size, skip_bad=True)
    assert (len(loaded.images), loaded.skipped) == (3, 1)
    assert f"{tmp_path}: left out, 1 of 4 cannot be read: a/0.png (not a PNG" in caplog.text
    assert loaded.labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize("size", [None, 8])
def test_nothing_but_bad_files(tmp_path, refused, size):
    (tmp_path / "a.png").write_text("x")
    refused(
        lambda: load_images(tmp_path, split="all", image_size=size, channels=1, skip_bad=True),
        tmp_path,
        "1 of 1 cannot be read",
    )


def test_unknown_split(folder, refused):
    refused(lambda: load_images(folder, split="validation"), folder, "one of train, test, all")


def test_what_a_folder_hides_is_told(folder, refused):
    (folder / "away").symlink_to(folder / "unmounted")
    refused(lambda: load_images(folder), f"{folder}/away: expected a folder that can be read")


def test_a_folder_that_is_named_as_an_image(folder):
    (folder / "00.png").rename(folder / "x.png")
    (folder / "00.png").mkdir()
    (folder / "x.png").rename(folder / "00.png" / "x.png")
    assert len(load_images(folder, split="all").images) == 12


# What was understood


@pytest.mark.parametrize(
    ("train", "test", "split"),
    [
        ("train", "valid", "validation"),
        ("Train", "Test", "test"),
        ("TRAIN", "VAL", "val"),
        ("training", "testing", "test"),
        ("Training", "Validation", "validation"),
    ],
)
def test_split_folders_of_other_names(tmp_path, write_image, caplog, train, test, split):
    for number, name in enumerate([f"{train}/1.png", f"{train}/2.png", f"{test}/3.png"]):
        write_image(tmp_path / name, np.full((4, 4), number * 9))
    loaded = load_images(tmp_path, split="train")
    assert loaded.images[:, 0, 0, 0].tolist() == [0, 9]
    assert loaded.labels is None
    assert loaded.name_image(0) == f"{train}/1.png"
    assert load_images(tmp_path, split="test").images[:, 0, 0, 0].tolist() == [18]
    assert f"{tmp_path}: splits train (2), {split} (1)\n" in caplog.text


def test_two_folders_for_one_split(tmp_path, write_image, noise, refused):
    for name in ("train/1.png", "Training/2.png", "test/3.png"):
        write_image(tmp_path / name, noise(4, 4))
    refused(lambda: load_images(tmp_path), "expected one folder a split, found Training and train")


def test_classes_are_counted(tmp_path, write_image, noise, caplog):
    for name in ("train/1.png", "train/2.png", "holdout/1.png"):
        write_image(tmp_path / name, noise(4, 4))
    assert load_images(tmp_path, split="all").class_names == ("holdout", "train")
    assert f"{tmp_path}: 3 images; classes " in caplog.text
    load_images(tmp_path)
    assert "3 images without split folders, a tenth of them to test on; classes " in caplog.text
    assert "train (2)" in caplog.text
    assert "holdout (1)" in caplog.text


def test_what_is_passed_over_is_counted(tmp_path, write_image, noise, caplog):
    for name in ("train/1.png", "test/2.png", "preview.png"):
        write_image(tmp_path / name, noise(4, 4))
    for name in ("train/a.heic", "train/b.HEIC", "test/notes", "test/.DS_Store"):
        (tmp_path / name).write_text("x")
    load_images(tmp_path)
    (line,) = caplog.messages
    for part in (".heic (2)", "notes (1)", ".png (1)"):
        assert part in line.partition("passed over as no images: ")[2]


def test_nothing_but_other_files(tmp_path, refused):
    for name in ("a.heic", "b.heic", "c.txt"):
        (tmp_path / name).write_text("x")
    refused(lambda: load_images(tmp_path), "found none among .heic (2), .txt (1)")


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "tif", "TIFF"])
def test_suffixes_of_jpeg_and_tiff(tmp_path, noise, suffix):
    name = "TIFF" if suffix.lower().startswith("tif") else "JPEG"
    PIL.Image.fromarray(noise(4, 4)).save(tmp_path / f"a.{suffix}", name)
    assert len(load_images(tmp_path, split="all").images) == 1


def test_a_folder_of_one_image_is_not_empty(tmp_path, write_image, noise, refused):
    write_image(tmp_path / "a.png", noise(4, 4))
    refused(lambda: load_images(tmp_path), "expected at least two images, found one, which is held out")


def test_colour_photographs_that_become_small_and_grey(tmp_path, write_image, noise, caplog):
    write_image(tmp_path / "a.png", noise(90, 120, 3))
    load_images(tmp_path, split="all", image_size=28, channels=1)
    assert (
        f"{tmp_path}: images of up to 120 x 90 pixels become 28 x 28, grey, and lose colour and detail; "
        "the presets rgb32, rgb64 and rgb128 keep more"
    ) in caplog.text


def test_photographs_of_about_the_size_are_not_talked_about(tmp_path, write_image, noise, caplog):
    write_image(tmp_path / "a.png", noise(40, 50, 3))
    load_images(tmp_path, split="all", image_size=32, channels=3)
    assert "lose" not in caplog.text
