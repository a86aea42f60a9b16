package main

func foreign() string { return "none" }

func foreignOverflow(where string) {}

func foreignCalls() {}
