from dcgan.detector import Calibration
from export import model_card


def test_the_card_says_what_is_promised_and_under_what():
    calibration = Calibration(
        slope=2.0,
        offset=-1.0,
        fake_above=0.2,
        real_below=-0.2,
        false_positive_rate=0.01,
        confidence=0.95,
        deliveries=("as they are", "jpeg 75"),
        miss_rate=0.02,
        reals=500,
        fakes=400,
    )
    card = model_card.make(name="d", kind="detector", run=None, calibration=calibration)
    text = model_card.render({**card, "digest": "0", "signatures": {}})
    assert (
        "- At most 1 % of reals like the 500 it was calibrated on are called fake, with 95 % "
        "confidence, under each of 2 deliveries. Nothing is promised of other images or deliveries.\n"
    ) in text
    assert "- Deliveries: as they are; jpeg 75\n" in text
    assert "- fake_above: 0.2\n" in text


def test_a_hub_of_models_can_read_its_head():
    tasks = {"detector": "image-classification", "generator": "unconditional-image-generation"}
    for kind, task in tasks.items():
        card = model_card.make(name="d", kind=kind, run=None)
        signatures = {"serving_default": {"inputs": {}, "outputs": {}}}
        text = model_card.render({**card, "digest": "0", "signatures": signatures})
        start, head, rest = text.split("---\n")
        assert (start, rest.strip()[:3]) == ("", "# d")
        assert f"pipeline_tag: {task}\n" in head
        assert f"- {kind}\n" in head
