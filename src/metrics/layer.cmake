# One file of metrics/providers sends requests by cpprestsdk; nobody else sees it.
target_link_libraries(${target} PRIVATE cpprestsdk::cpprest)
