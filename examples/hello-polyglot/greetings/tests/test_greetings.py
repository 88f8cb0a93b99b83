import unittest

from greetings import GREETINGS, greet


class GreetTest(unittest.TestCase):
    def test_greets_by_name(self):
        self.assertEqual(greet("Ada"), "Hello, Ada!")

    def test_greets_the_world_without_a_name(self):
        self.assertEqual(greet("  "), "Hello, world!")

    def test_takes_a_language_or_a_locale(self):
        for language in ["fr", "FR", "fr_CA", "fr-CA", "fr_CA.UTF-8"]:
            with self.subTest(language=language):
                self.assertEqual(greet("Ada", language), "Bonjour, Ada!")

    def test_falls_back_to_english(self):
        self.assertEqual(greet("Ada", "tlh"), "Hello, Ada!")
        self.assertEqual(greet("Ada", "C.UTF-8"), "Hello, Ada!")

    def test_every_greeting_names_who_is_greeted(self):
        for language in GREETINGS:
            self.assertIn("Ada", greet("Ada", language))


if __name__ == "__main__":
    unittest.main()
