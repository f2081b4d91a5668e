"""The straightforward way: FastAPI, FastStream on RabbitMQ, SQLAlchemy on PostgreSQL, each as its manual shows."""
