"""The guarantees of every store of claims."""

import hashlib
from collections.abc import Callable
from uuid import uuid4

import pytest

from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.errors import Rejected
from lambda_forwarder.in_memory import MemoryClaims
from lambda_forwarder.ports import Claims
from tailrace.dev.aws import REGION, Aws
from tailrace.wire.change import Claim
from tests.lambda_forwarder.values import forever

Store = Callable[[bytes], Claim]
"""Puts an object where the claims are read from, and claims it."""


def a_claim(bucket: str, key: str = "payments/1/1-x.json", size: int = 2) -> Claim:
    return Claim(bucket=bucket, key=key, bytes=size, sha256="0" * 64)


class ClaimsConformance:
    """A subclass has the fixtures ``claims`` and ``store``."""

    @pytest.mark.parametrize("content", [b"{}", b"\x00\xff" * 1_000_000], ids=["small", "large"])
    def test_stored_object_is_fetched_byte_for_byte(self, claims: Claims, store: Store, content: bytes) -> None:
        assert claims.fetch(store(content), forever) == content

    def test_object_stored_by_the_forwarder_is_fetched(self, claims: Claims) -> None:
        """Storing it again returns the same claim."""
        first = claims.store("events/Noted/1.json", b'{"n": 1}')
        assert claims.store("events/Noted/1.json", b'{"n": 1}') == first
        assert claims.fetch(first, forever) == b'{"n": 1}'
        assert (first.bytes, first.sha256) == (8, hashlib.sha256(b'{"n": 1}').hexdigest())

    def test_object_longer_than_its_claim_is_read_one_byte_further(self, claims: Claims, store: Store) -> None:
        """One byte shows that it is too long."""
        claim = store(b"x" * 1_000_000)
        shorter = Claim(bucket=claim.bucket, key=claim.key, bytes=9, sha256=claim.sha256)
        assert claims.fetch(shorter, forever) == b"x" * 10

    def test_missing_object_is_rejected(self, claims: Claims, store: Store) -> None:
        """An expired object never returns."""
        with pytest.raises(Rejected, match=r"NoSuchKey|no object"):
            claims.fetch(a_claim(store(b"{}").bucket, "payments/1/2-x.json"), forever)

    def test_foreign_bucket_is_never_read(self, claims: Claims) -> None:
        """The sender of a message must not choose what is read."""
        with pytest.raises(Rejected, match="the object is in the bucket 'theirs'"):
            claims.fetch(a_claim("theirs"), forever)


class TestMemoryClaims(ClaimsConformance):
    @pytest.fixture
    def claims(self) -> MemoryClaims:
        return MemoryClaims()

    @pytest.fixture
    def store(self, claims: MemoryClaims) -> Store:
        def stored(content: bytes) -> Claim:
            claims.objects["payments/1/1-x.json"] = content
            return a_claim(claims.bucket, size=len(content))

        return stored


class TestS3Claims(ClaimsConformance):
    """On the emulator, in a bucket of its own."""

    @pytest.fixture
    def bucket(self, aws: Aws) -> str:
        name = f"claims-{uuid4().hex}"
        aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    @pytest.fixture
    def claims(self, aws: Aws, bucket: str) -> S3Claims:
        return S3Claims(aws("s3"), bucket)

    @pytest.fixture
    def store(self, aws: Aws, bucket: str) -> Store:
        def stored(content: bytes) -> Claim:
            aws("s3").put_object(Bucket=bucket, Key="payments/1/1-x.json", Body=content)
            return a_claim(bucket, size=len(content))

        return stored
