"""Figures that documents cite are those in benchmarks/results: the text is written anew and compared."""

import json
import re

import numpy as np
import pytest

import documents

RESULTS = documents.ROOT / "benchmarks" / "results"


def _read(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


DETECTION, COLOUR, FAMILIARITY = _read("detection"), _read("colour"), _read("familiarity")
START, LEARNED = _read("detection_start"), _read("detection_colour")
STREAMING, FEW = _read("streaming"), _read("small_data")
FASHION = _read("detection_fashion")
QUALITY, SPEED, FEATURES = _read("time_to_quality"), _read("training_speed"), _read("features")
ARTICLE, SERVING = _read("article_quality"), _read("serving")
SEARCH = {(run["name"], run["seed"]): run for run in _read("search")["found"]["runs"]}
SEED = DETECTION["seeds"][0]
GENERATORS = (
    "GAN, another run",
    "GAN, other networks",
    "diffusion, longer",
    "PCA mixture",
    "VAE",
    "diffusion",
    "GAN, other seed",
)


def _row(delivery):
    return DETECTION["table"][delivery]


def _last(contender):
    """Returns each seed's distance at the end of its training."""
    runs = [run["points"] for run in QUALITY["runs"] if run["contender"] == contender]
    return [points[-1]["frechet_distance"] for points in runs]


def _after(epoch):
    """Returns the distance of the article's program after an epoch."""
    (row,) = [row for row in ARTICLE["epochs"] if row["epoch"] == epoch]
    return row["frechet_distance"]


def _end(contender, epochs):
    """Returns when a training ended, in epochs of the article's program."""
    return f"{epochs * QUALITY['epoch_cost'][contender]:.2f}"


def _colour(arm, minutes):
    (run,) = [run for run in COLOUR["runs"] if (run["arm"], run["minutes"]) == (arm, minutes)]
    return run


def _detector_table():
    for name, row in DETECTION["table"].items():
        # With matched histograms only fakes were measured.
        if "reals_called_fake" not in row:
            continue
        aurocs = [SEED["detector"][name][generator]["auroc"] for generator in GENERATORS]
        cells = " | ".join(f"{value:.3f}" for value in [*aurocs, np.mean(aurocs)])
        yield f"| {name} | {cells} | {row['reals_called_fake']:.2%} |".replace("%", " %")


def _fashion_row(delivery):
    names = ("GAN, another run", "PCA mixture", "VAE", "diffusion", "GAN, other seed")
    aurocs = [FASHION["seeds"][0]["detector"][delivery][name]["auroc"] for name in names]
    cells = " | ".join(f"{value:.3f}" for value in [*aurocs, np.mean(aurocs)])
    return f"| {delivery} | {cells} | {_percent(FASHION['table'][delivery]['reals_called_fake'], 2)} |"


def _fashion_found(delivery):
    return _percent(FASHION["seeds"][0]["detector"][delivery]["GAN, another run"]["found"], 0)


def _found_row(delivery):
    shares = [SEED["detector"][delivery][generator]["found"] for generator in GENERATORS]
    return f"| {delivery} | {' | '.join(_percent(share, 0) for share in shares)} |"


def _baseline(name, delivery):
    """Returns a baseline's AUROC, in the mean over generators."""
    return np.mean([SEED["baselines"][name][delivery][each]["auroc"] for each in GENERATORS])


def _family(name, seed=SEED):
    return seed["families"][name]["mean_auroc"]


def _readme_row(title, *deliveries):
    rows = [_row(name) for name in deliveries]
    cells = [
        "; ".join(f"{row['mean_auroc']:.3f}" for row in rows),
        "; ".join(f"{row['worst_auroc']:.3f}" for row in rows),
        "; ".join(f"{row['reals_called_fake']:.2%}" for row in rows).replace("%", " %"),
    ]
    return f"| {title} | {' | '.join(cells)} |"


def _other(name):
    """Returns how many images of another kind are recognised as such."""
    return _percent(FAMILIARITY["other_kinds"][name])


def _percent(share, digits=1):
    return f"{share:.{digits}%}".replace("%", " %")


def _few_row(named, arm, end=""):
    (run,) = [run for run in FEW["runs"] if run["arm"] == arm]
    cells = [f"{at['frechet_distance']:.1f} | {at['images']:,}" for at in run["points"]]
    return f"| {named} | {' | '.join(cells)} |{end}"


def _colour_row(minutes):
    runs = [_colour(arm, minutes) for arm in ("rgb32", "conditional", "dcgan")]
    cells = [f"{run['frechet_distance']:.1f} | {run['reals_seen']:,}" for run in runs]
    return f"| {minutes} | {' | '.join(cells)} |"


def _left_out(title, delivery):
    row = START["left_out"][delivery]
    kinds = ("gan", "diffusion", "flow matching", "autoregressive", "flow")
    simple = START["statistics"]["left_out"][delivery]["mean_auroc"]
    cells = [row["mean_auroc"], *(row["families"][kind] for kind in kinds), simple]
    return f"| {title} | {' | '.join(f'{value:.3f}' for value in cells)} |"


def _learned(title, key):
    before, some, many = (
        LEARNED[name]["partial"][key] for name in ("zero-shot", "learned 100", "learned 1000")
    )
    return f"| {title} | {before:.3f} | {some:.3f} | | {many:.3f} | |"


def _learned_row(title, delivery):
    before, some, many = (
        LEARNED[name]["fakes"][delivery]["auroc"]
        for name in ("zero-shot", "learned 100", "learned 1000")
    )
    simple = [LEARNED[f"simple statistics {count}"][delivery] for count in (100, 1000)]
    cells = (before, some, simple[0], many, simple[1])
    return f"| {title} | {' | '.join(f'{cell:.3f}' for cell in cells)} |"


def _minutes_to_learn(count):
    return f"{LEARNED[f'learned {count}']['seconds'] / 60:.0f}"


def _learned_share(count, of):
    return _percent(of(LEARNED[f"learned {count}"]))


def _lossless(result):
    return result["lossless"]["fake"]


def _control(name):
    return f"{LEARNED[name]['partial']['control_auroc']:.3f}"


def _found_as_they_are(result):
    return result["fakes"]["as they are"]["found"]


def _kind(family, delivery):
    return f"{START['left_out'][delivery]['families'][family]:.2f}"


def _own_left_out(pick):
    """Returns the lowest or highest AUROC of this project's GANs that were left out, after JPEG 90."""
    rows = [model["deliveries"]["jpeg 90"]["generators"] for model in START["models"].values()]
    return pick(each["auroc"] for row in rows for name, each in row.items() if name.startswith("own-"))


def _streamed(row):
    cache, first, later = row["cache"], row["first_start"], row["second_start"]
    return (
        f"| {row['images']:,} | {cache['images_a_second']:,.0f} | {cache['ratio_to_bare']:.2f} "
        f"| {first['seconds_to_first_step']:.0f} s | {later['seconds_to_first_step']:.0f} s "
        f"| {_percent(later['input_share'], 2)} | {later['peak_memory_bytes'] / 1e9:.2f} GB |"
    )


def _spread(contender):
    values = _last(contender)
    return f"| {len(values)} | {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f} |"


def _searched(name, seed, digits=1):
    return f"{SEARCH[name, seed]['frechet_distance']:.{digits}f}"


def _search_overhead(name):
    """Returns a search's time beside its training, in percent, on the idle machine."""
    return f"{100 * SEARCH[name, 1]['overhead_of_search']:.0f}"


def _rounded(number, to):
    return f"{to * round(number / to):,}"


_BEAM = SERVING["bulk"]["beam_images_per_second"]
_CORE_HOURS = 1e9 / _BEAM * 2 / 3600
_MEMORY, _THROUGHPUT = SERVING["memory"], SERVING["throughput"]["256"]

# By page, what it says, made of the results.
CITED = {
    "README.md": [
        f"held-out real images score {QUALITY['floor']['frechet_distance']:.2f}, the",
        f"| the article's program | 1 | {_after(50):.2f} | 50.00 |",
        f"| 1 | {_last('torch')[0]:.0f} | {_end('torch', 3)} |",
        f"| 1 | {_last('article-preset')[0]:.0f} | {_end('article-preset', 3)} |",
        _spread("mnist-float32") + f" {_end('mnist-float32', 6)} |",
        f"trains {SPEED['summary']['dcgan float32']['times_article']:.2f} times as many images",
        f"stands at {_colour('rgb32', 10)['frechet_distance']:.1f} after ten minutes",
        f"at {_colour('conditional', 10)['frechet_distance']:.1f} with classes",
        f"a PyTorch DCGAN at {_colour('dcgan', 10)['frechet_distance']:.1f} (one",
        _readme_row("nothing", "as they are"),
        _readme_row("shifted by up to 3 px", "shift 3 edge"),
        _readme_row("90 % crop, scaled back", "crop 90"),
        _readme_row("JPEG 75; JPEG 40", "jpeg 75", "jpeg 40"),
        _readme_row("scaled to 3/4 and back, bilinear", "3/4 bilinear"),
        _readme_row("scaled to 1/2 and back, bilinear", "1/2 bilinear"),
        f"it ranks them with {_family('gan'):.2f}.",
        f"{_percent(FAMILIARITY['other_kinds']['photographs'])} of photographs",
        f"{_percent(FAMILIARITY['other_kinds']['inverted'], 0)} of inverted digits",
        f"{_percent(FAMILIARITY['other_kinds']['Fashion-MNIST'], 0)} of Fashion-MNIST",
        f"GANs with {_kind('gan', 'as they are')} as they are and "
        f"{_kind('gan', 'jpeg 90')} after JPEG 90, "
        f"diffusion models with {_kind('diffusion', 'as they are')} and "
        f"{_kind('diffusion', 'jpeg 90')}:",
    ],
    "docs/detector.md": [
        _left_out("as they are", "as they are"),
        _left_out("JPEG 90", "jpeg 90"),
        _left_out("JPEG 75", "jpeg 75"),
        _left_out("90 % crop, scaled back", "crop 90"),
        _left_out("to 3/4 and back, bicubic", "3/4 bicubic"),
        _left_out("JPEG, 3/4, JPEG", "jpeg-3/4-jpeg"),
        _learned_row("as they are", "as they are"),
        _learned_row("JPEG 90", "jpeg 90"),
        _learned_row("JPEG 75", "jpeg 75"),
        _learned_row("to 3/4 and back", "3/4 lanczos"),
        _learned_row("90 % crop, scaled back", "crop 90"),
        _learned_row("crop, JPEG, 3/4, JPEG", "crop-jpeg-3/4-jpeg"),
        _learned("partial fakes, 25 to 60 % of the area", "auroc"),
        _learned("the same against reals with a region of another real", "against_control_auroc"),
        _learned("heat map, pasted against other pixels", "heat_map_auroc"),
        f"from a hundred took {_minutes_to_learn(100)} minutes",
        f"from a thousand {_minutes_to_learn(1000)},",
        f"unlike all reals of that run, {_learned_share(100, _lossless)} and "
        f"{_learned_share(1000, _lossless)} are called fake",
        f"told from reals with {_control('zero-shot')}, {_control('learned 100')} and "
        f"{_control('learned 1000')} (before",
        " and ".join(_learned_share(count, _found_as_they_are) for count in (100, 1000)),
        f"(before: {_percent(LEARNED['zero-shot']['lossless']['fake'])} fake)",
        f"stands at {START['left_out']['jpeg 90']['worst_auroc']:.3f}: below chance",
        f"stand at {_own_left_out(min):.2f} to {_own_left_out(max):.2f}",
        *_detector_table(),
        f"the worst was {_percent(SEED['false_positives']['worst'], 2)}.",
        *map(_found_row, ("as they are", "jpeg 75", "crop 90")),
        *map(_fashion_row, ("1/2 bilinear", "crop-jpeg-3/4-jpeg", "jpeg 40", "3/4 bilinear")),
        *map(_fashion_row, ("3/4 bicubic", "crop 90", "jpeg 75", "rotate 5", "shift 3 edge")),
        _fashion_row("as they are"),
        f"reals at most {_percent(FASHION['seeds'][0]['false_positives']['worst'], 2)} were",
        f"{_fashion_found('as they are')}, {_fashion_found('jpeg 75')} and {_fashion_found('crop 90')}",
        "tell that kind with {:.3f} (GANs), {:.3f} (autoencoders) and {:.3f} (denoisers)".format(
            *(_family(name, FASHION["seeds"][0]) for name in ("gan", "autoencoder", "denoiser"))
        ),
        f"mean AUROC of {_family('gan'):.3f} (GANs), {_family('autoencoder'):.3f} (autoencoders) and "
        f"{_family('denoiser'):.3f} (denoisers)",
        f"mean AUROC of {_baseline('pixel histogram', 'as they are'):.3f} as they are, "
        f"{_baseline('pixel histogram', 'crop 90'):.3f} after a 90 % crop and "
        f"{_baseline('pixel histogram', 'jpeg 75'):.3f} after JPEG 75",
        f"the detector has {_row('histogram-matched')['mean_auroc']:.3f}.",
        f"has {_baseline('raw discriminator', 'as they are'):.3f} as they are and "
        f"{_baseline('raw discriminator', 'crop 90'):.3f} after a 90 % crop",
        f"calibration error over all deliveries is {SEED['ece']:.3f}.",
        f"letterboxed 48 px {_other('letterboxed to 12/7')} and 40 px {_other('letterboxed to 10/7')}, "
        f"pillarboxed 48 px {_other('pillarboxed to 12/7')}",
        f"of 36 px {_other('on a sheet of 9/7')}",
        f"VAE {_percent(FAMILIARITY['own_kind']['VAE']['mean'])}, "
        f"diffusion {_percent(FAMILIARITY['own_kind']['diffusion']['mean'])}.",
        f"GANs {100 * FAMILIARITY['own_kind']['least squares GAN']['mean']:.1f} and "
        f"{_percent(FAMILIARITY['own_kind']['GAN of another seed']['mean'])}",
        f"photographs {_percent(FAMILIARITY['other_kinds']['photographs'])},",
        f"Fashion-MNIST {_percent(FAMILIARITY['other_kinds']['Fashion-MNIST'])},",
        f"unseen reals {_percent(FAMILIARITY['own_kind']['reals']['mean'], 2)},",
        f"Fitted in {SEED['fit_seconds']:.0f} s and evaluated in {SEED['evaluation_seconds']:.0f} s",
        f"trained for {SEED['gan_seconds']:.0f} s",
    ],
    "docs/data.md": [*map(_streamed, STREAMING["sets"])],
    "docs/presets.md": [
        *map(_colour_row, (2, 5, 10)),
        _few_row("none", "none"),
        _few_row("DiffAugment (color, translation, cutout)", "DiffAugment"),
        _few_row("ADA", "ADA", end=" 0.12 |"),
        f"({100 * COLOUR['extractor_accuracy']:.0f} % of a held-out tenth right; floor "
        f"{COLOUR['floor']['frechet_distance']:.2f})",
        f"scores {_after(1):.0f} after its first epoch, {_after(10):.0f} after its tenth and "
        f"{_after(50):.1f} after its fiftieth (best: {_after(45):.1f} after 45)",
        f"Held-out real images score {QUALITY['floor']['frechet_distance']:.2f}, the floor",
        f"order {FEATURES['extractors']['random']['order']:.3f} and",
        f"correlation {FEATURES['extractors']['random']['correlation']:.3f} against",
        f"with labels {FEATURES['extractors']['learned']['order']:.3f} and "
        f"{FEATURES['extractors']['learned']['correlation']:.3f}",
    ],
    "docs/commands.md": [
        f"takes {FEATURES['extractors']['learned']['learning_cpu_s']:.0f} s of CPU time at 32 pixels",
    ],
    "docs/serving.md": [
        f"scores {_rounded(_THROUGHPUT['uint8']['images_per_second'], 100)} decoded images a second in "
        f"batches of 256 and {_rounded(_THROUGHPUT['png']['images_per_second'], 100)} PNG files, "
        f"{_THROUGHPUT['uint8']['times_keras']:.2f} and {_THROUGHPUT['png']['times_keras']:.2f} times",
        f"one image takes {SERVING['latency']['uint8']['p50_ms']:.1f} ms "
        f"(as a PNG {SERVING['latency']['png']['p50_ms']:.1f} ms), "
        f"loading {SERVING['load_seconds']:.1f} s.",
        f"takes {SERVING['size']['ratio']:.2f} times its weights",
        f"add {_MEMORY['end_mb'] - _MEMORY['settled_mb']:.1f} MB of memory",
        f"runner scores {SERVING['bulk']['ratio']:.2f} times as many files",
    ],
    "docs/guides/scale.md": [
        f"scored {SERVING['bulk']['images']:,} MNIST-sized PNG files at {_rounded(_BEAM, 10)} images a "
        f"second, including start and loading: {SERVING['bulk']['ratio']:.2f} times",
        f"about {_rounded(_CORE_HOURS, 10)} hours of one core: {_CORE_HOURS / 48:.1f} hours on 48 "
        f"cores, or {_CORE_HOURS * 0.05:.0f} dollars",
    ],
    "docs/guides/search.md": [
        f"a Fréchet distance of {_searched('hyperband', 0)} and {_searched('hyperband', 1)} after three "
        f"minutes of training (two seeds), where the article's reach {_searched('article', 0, 0)} and "
        f"{_searched('article', 1, 0)}.",
        f"found {_searched('random', 0)} and {_searched('random', 1)} in the same time",
        f"takes {_search_overhead('random')} to {_search_overhead('hyperband')} % on top",
    ],
}


def _text(page):
    return " ".join((documents.ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("page", "said"), [(page, said) for page, texts in CITED.items() for said in texts], ids=str
)
def test_what_is_cited_was_measured(page, said):
    assert said in _text(page)


# Sections whose every decimal has to be among the above, but for these.
COMPLETE = {
    ("README.md", "## What the detector finds, and what not"): set(),
    ("docs/detector.md", "## What it reaches on MNIST"): set(),
    ("docs/detector.md", "## What it reaches on Fashion-MNIST"): set(),
    ("docs/detector.md", "## What it reaches in colour"): {"0.5"},
    ("docs/data.md", "## How fast, and in how much memory"): set(),
    ("docs/presets.md", "### At equal time against PyTorch"): set(),
    ("docs/presets.md", "### Few images"): set(),
    ("docs/serving.md", "## Speed"): set(),
    ("docs/guides/scale.md", "## What a billion images cost"): set(),
    ("docs/guides/search.md", "## What to look at"): set(),
}


@pytest.mark.parametrize(("page", "heading"), COMPLETE, ids=str)
def test_nothing_else_is_cited(page, heading):
    text = (documents.ROOT / page).read_text(encoding="utf-8")
    section = re.split(r"\n#+ ", text.partition(f"{heading}\n")[2])[0]
    assert section, heading
    section = " ".join(section.split())
    for said in CITED[page]:
        section = section.replace(said, "")
    assert {*re.findall(r"\b\d+\.\d+\b", section)} == COMPLETE[page, heading]
