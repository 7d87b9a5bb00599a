"""A suite on an OpenAI-compatible chat completions server: vLLM, SGLang, llama.cpp's server, transformers serve."""
