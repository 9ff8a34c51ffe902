"""The files of rows that were added to jobs: what they are called, who gave them, and what was found in them."""

from collections.abc import Sequence

from gateway.domain.model.job import JobFile
from storage.documents import documents
from storage.documents.documents import Db, from_document

MOST = 100
"""Files of a job of which more is told than their numbers, at most."""


async def add(db: Db, file: JobFile) -> None:
    """Store what is known of a file."""
    await documents.add(db, "job_files", [file])


async def of_job(db: Db, job: str) -> Sequence[JobFile]:
    """Return up to MOST files of a job, in the order in which they were added."""
    documents = db["job_files"].find({"job": job}).limit(MOST)
    return sorted([from_document(JobFile, document) async for document in documents], key=lambda file: file.at)


async def same(db: Db, digest: str) -> Sequence[JobFile]:
    """Return up to MOST files with the same bytes, in whatever jobs."""
    documents = db["job_files"].find({"digest": digest}).limit(MOST)
    return [from_document(JobFile, document) async for document in documents]
