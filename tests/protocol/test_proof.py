"""Challenge and proof: only who knows the token, or its digest, has the answer."""

from __future__ import annotations

from acetate.protocol import proof

TOKEN = "a token"


def test_the_digest_of_the_token_answers_a_challenge() -> None:
    asked = proof.challenge(TOKEN)
    found = proof.FORM.fullmatch(asked)

    assert found is not None and found[2] == proof.fingerprint(proof.digest_of(TOKEN))
    assert proof.is_proof(proof.proof(proof.digest_of(TOKEN), asked), TOKEN, asked)


def test_no_other_answer_is_a_proof() -> None:
    asked = proof.challenge(TOKEN)
    for answer in (None, 7, "", "ä", asked, proof.digest_of(TOKEN), proof.proof(proof.digest_of("another"), asked)):
        assert not proof.is_proof(answer, TOKEN, asked)
    assert not proof.is_proof(proof.proof(proof.digest_of(TOKEN), proof.challenge(TOKEN)), TOKEN, asked)


def test_a_challenge_is_new_each_time_and_shows_neither_token_nor_digest() -> None:
    challenges = {proof.challenge(TOKEN) for _ in range(10)}

    assert len(challenges) == 10
    assert not any(TOKEN in asked or proof.digest_of(TOKEN) in asked for asked in challenges)
