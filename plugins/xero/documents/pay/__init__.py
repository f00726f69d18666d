"""What pay and leave are about: the employee, and the periods of their payroll calendar."""
