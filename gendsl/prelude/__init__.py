"""Objectives written in the language itself: anyone can read, copy and change them."""
