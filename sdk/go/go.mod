module rusm

go 1.24
