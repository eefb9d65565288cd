import threading

from dcgan.data.decoding.pixel_budget import PixelBudget


def test_no_more_pixels_at_the_same_time_than_allowed():
    budget, lock = PixelBudget(100), threading.Lock()
    held, most = [], []

    def work(pixels):
        with budget.hold(pixels):
            with lock:
                held.append(min(pixels, 100))
                most.append(sum(held))
            with lock:
                held.remove(min(pixels, 100))

    threads = [threading.Thread(target=work, args=(pixels,)) for pixels in [40, 70, 100, 500, 1] * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 100
    assert len(most) == 100


def test_what_fits_does_not_wait():
    budget = PixelBudget(100)
    with budget.hold(60), budget.hold(40):
        waiting = threading.Thread(target=lambda: budget.hold(1).__enter__(), daemon=True)
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
    waiting.join()


def test_an_error_gives_back_what_was_held():
    budget = PixelBudget(1)
    for _ in range(2):
        try:
            with budget.hold(1):
                raise ValueError
        except ValueError:
            pass
    with budget.hold(1):
        pass
