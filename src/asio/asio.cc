// Holds the out-of-line definitions of Asio and Beast, so that no other file compiles them again.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
