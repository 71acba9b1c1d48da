import pytest
import torch

from src.models.starter.tokenizer import CONTEXT_LENGTH, VOCABULARY_SIZE, StarterTokenizer
from src.models.starter.vocabulary import CANONICAL, COLOURS, FILLERS, SHAPES, TEXTURES, WORDS


@pytest.fixture
def tokenizer() -> StarterTokenizer:
    return StarterTokenizer()


def test_shape_type_and_padding(tokenizer: StarterTokenizer) -> None:
    ids = tokenizer(["a red circle", "star"])
    assert ids.shape == (2, CONTEXT_LENGTH)
    assert ids.dtype == torch.long
    assert (ids[:, 0] == 1).all()
    assert ids[1, 3:].eq(0).all()


def test_the_end_is_the_highest_id_and_comes_last(tokenizer: StarterTokenizer) -> None:
    ids = tokenizer(["a large dark red dotted circle"])
    assert int(ids.max()) == VOCABULARY_SIZE - 1
    assert int(ids[0].argmax()) == int((ids[0] > 0).sum()) - 1


def test_a_single_text_is_one_row(tokenizer: StarterTokenizer) -> None:
    assert torch.equal(tokenizer("red star"), tokenizer(["red star"]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("something red", "red"),
        ("A photo of a RED, circle!", "the red disc"),
        ("grey hoops", "gray ring"),
        ("a chequered box", "a checked square"),
        ("polka-dot heart", "dotted heart"),
        ("big striped moon", "large stripy crescent"),
    ],
)
def test_phrases_of_the_same_meaning_are_the_same(
    tokenizer: StarterTokenizer, first: str, second: str
) -> None:
    seen = [dict.fromkeys(tokenizer(text)[0].tolist()) for text in (first, second)]
    assert seen[0] == seen[1]


def test_every_word_has_its_own_id(tokenizer: StarterTokenizer) -> None:
    assert len({int(row[1]) for row in tokenizer(WORDS)}) == len(WORDS)


def test_a_long_text_keeps_its_end_token(tokenizer: StarterTokenizer) -> None:
    ids = tokenizer(["red " * 50])
    assert int(ids[0, -1]) == VOCABULARY_SIZE - 1


def test_nothing_known_is_an_empty_text(tokenizer: StarterTokenizer) -> None:
    assert torch.equal(tokenizer(["zebra"]), tokenizer([""]))


def test_unknown_words_in_order_without_doubles(tokenizer: StarterTokenizer) -> None:
    text = "A red Dog, a blue CAT and a dog's striped zebra-crossing…"
    assert tokenizer.unknown_words(text) == ("dog", "cat", "s", "zebra", "crossing")
    assert tokenizer.known_words(text) == ("red", "blue", "striped")
    assert tokenizer.unknown_words("a photo of something light gray") == ()
    assert tokenizer.known_words("a photo of the dog") == ()


def test_words_and_fillers_do_not_mix() -> None:
    assert not FILLERS & set(CANONICAL)
    assert (len(COLOURS), len(SHAPES), len(TEXTURES)) == (12, 10, 4)
    assert set(CANONICAL.values()) == set(WORDS)
