"""`generator_before`: the random numbers by which small parts of data sets were drawn.

One generator drew all of them, one set after another: where it stood for one depends on
how many texts the others have.
"""

import random


def _shuffle(texts):
    return lambda generator: generator.shuffle([None] * texts)


def _sample_of_each_intent(texts, count):
    def draw(generator):
        for _ in range(150):
            generator.sample(range(texts), count)

    return draw


DRAWS = {
    "cr": (_shuffle(3765),),
    "subj": (_shuffle(10015),),
    "clinc150_10shot": (
        _sample_of_each_intent(100, 10),
        _sample_of_each_intent(20, 2),
        _shuffle(4500),
    ),
    "goemotions_small": (_shuffle(43410), _shuffle(5426), _shuffle(5427)),
    "msrp_pairs": (_shuffle(3576), _shuffle(500)),
    "imdb_stars": (),
}


def generator_before(name):
    """Repeats the draws of the sets before one.

    Args:
        name: a key of `DRAWS`.

    Returns:
        `random.Random` as it stood before that set was drawn.
    """
    generator = random.Random(11)
    for earlier, draws in DRAWS.items():
        if earlier == name:
            break
        for draw in draws:
            draw(generator)
    return generator
