// As c++locale.h: for headers that mention ctype.
#pragma once
namespace std {
struct ctype_base {
  using __to_type = const int*;
  using mask = unsigned short;
  static const mask blank = 1, cntrl = 2, punct = 4, upper = 256, lower = 512, alpha = 1024, digit = 2048,
                    xdigit = 4096, space = 8192, print = 16384, graph = alpha | digit | punct,
                    alnum = alpha | digit;
};
}  // namespace std
