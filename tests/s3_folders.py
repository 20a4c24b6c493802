"""Folders of files in S3, such as models."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def upload(s3: "S3Client", folder: Path, bucket: str, prefix: str) -> None:
    """Put every file of a folder under a prefix."""
    for path in filter(Path.is_file, folder.rglob("*")):
        s3.upload_file(str(path), bucket, f"{prefix}/{path.relative_to(folder).as_posix()}")


def download(s3: "S3Client", bucket: str, prefix: str, folder: Path) -> Path:
    """Write the objects under a prefix to a folder, and return the folder."""
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]:
        target = folder / entry["Key"].removeprefix(f"{prefix}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, entry["Key"], str(target))
    return folder
