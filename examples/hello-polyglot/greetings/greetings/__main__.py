"""`python3 -m greetings [--lang CODE] [NAME]` prints a greeting."""

import argparse

from greetings import greet


def main():
    parser = argparse.ArgumentParser(prog="greetings", description="Prints a greeting.")
    parser.add_argument("--lang", default="en", metavar="CODE", help="a language or a locale (default: en)")
    parser.add_argument("name", nargs="?", default="", help="who is greeted (default: the world)")
    arguments = parser.parse_args()
    print(greet(arguments.name, arguments.lang))


if __name__ == "__main__":
    main()
