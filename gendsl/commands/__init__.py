"""What the commands say: each module takes words or files and gives text; only gendsl/cli.py prints it."""
