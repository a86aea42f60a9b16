module formatting

go 1.21
