"""The folders of data and of caches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import promptslim
from promptslim.config import data_folder as data_folder_module
from promptslim.config.cache_folder import cache_folder
from promptslim.config.data_folder import data_folder


def test_data_folder_of_this_installation_has_the_tables():
    assert Path(data_folder(), "tokens", "estimator.json").is_file()


@pytest.mark.parametrize(
    ("present", "chosen"), [(["promptslim/_data", "rules"], "promptslim/_data"), (["rules"], "rules")]
)
def test_data_folder_prefers_the_installed_copy(tmp_path, monkeypatch, present, chosen):
    for name in present:
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(data_folder_module, "__file__", str(tmp_path / "promptslim" / "config" / "data_folder.py"))
    data_folder.cache_clear()
    try:
        assert data_folder() == str(tmp_path / chosen)
    finally:
        data_folder.cache_clear()


def test_data_folder_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setattr(data_folder_module, "__file__", str(tmp_path / "promptslim" / "config" / "data_folder.py"))
    data_folder.cache_clear()
    try:
        with pytest.raises(FileNotFoundError, match=r"_data.*rules"):
            data_folder()
    finally:
        data_folder.cache_clear()


def test_cache_folder_order(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "mine"))
    assert cache_folder() == str(tmp_path / "mine")
    monkeypatch.delenv("PROMPTSLIM_CACHE_DIR")
    assert cache_folder() == str(tmp_path / "xdg" / "promptslim")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == str(tmp_path / ".cache" / "promptslim")


def test_cache_folder_makes_a_relative_choice_absolute(monkeypatch):
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", "cache")
    assert cache_folder() == str(Path.cwd() / "cache")


def test_cache_folder_elsewhere_comes_from_platformdirs(monkeypatch):
    monkeypatch.delenv("PROMPTSLIM_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "promptslim" in Path(cache_folder()).parts


def test_folder_modules_import_nothing_heavy():
    code = (
        "import sys; import promptslim.config; before = set(sys.modules); "
        "import promptslim.config.data_folder, promptslim.config.cache_folder; "
        "print(sorted({'pathlib', 'platformdirs', 'json', 're'} & (set(sys.modules) - before)))"
    )
    root = str(Path(promptslim.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"
